export { holdFolder, lockOf, otherFolders, removeUnfinished, type OwnFolder } from './held-folder.ts';
export { makeFolder } from './make-folder.ts';
export { removeFolder } from './remove-folder.ts';
