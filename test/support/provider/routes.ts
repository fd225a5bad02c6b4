import { permissionFor, type Access } from './access.ts';
import { missingPermission, ok, type Answer, type Asked } from './answers.ts';
import { listConversations, listUsers, oneConversation } from './conversation-routes.ts';
import { listAgents, listWebhooks, oneAgent, updateWebhook } from './workspace-routes.ts';
import type { World } from './world.ts';

/** Answers a request of a key that is known. */
export function answer(world: World, { method, path, query, body }: Asked, access: Access): Answer {
  const permission = permissionFor(method, path);
  if (access.lacks?.includes(permission) === true) return missingPermission(permission);
  const [, , room = '', collection = '', id, part] = path.split('/').map(decodeURIComponent);
  const isReading = method === 'GET';
  switch (`${room}/${collection}`) {
    case 'convai/conversations':
      if (id === undefined && isReading) return listConversations(world, query, access);
      if (id !== undefined && isOfConversation(method, part)) {
        return oneConversation(world, { method, id, ...(part !== undefined && { part }) }, access);
      }
      break;
    case 'convai/users':
      if (id === undefined && isReading) return listUsers(world, query, access);
      break;
    case 'convai/settings':
      if (id === undefined && isReading) return ok(world.settings);
      break;
    case 'convai/agents':
      if (isReading) return id === undefined ? listAgents(world, query, access) : oneAgent(world, id, access);
      break;
    case 'workspace/webhooks':
      if (id === undefined && isReading) return listWebhooks(world, query, access);
      if (id !== undefined && method === 'PATCH') return updateWebhook(world, id, body);
      break;
    default:
  }
  return { status: 404, body: { detail: 'Not Found' } };
}

const isOfConversation = (method: string, part: string | undefined): boolean =>
  part === undefined ? method === 'GET' || method === 'DELETE' : part === 'audio' && method === 'GET';
