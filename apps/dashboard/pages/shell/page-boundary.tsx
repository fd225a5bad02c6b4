import { Component, type ComponentChildren } from 'preact';
import { PageHead } from '../parts/page-head.tsx';

interface Props {
  /** Another path begins anew. */
  path: string;
  children: ComponentChildren;
}

/** Shows that a page has failed by a defect of its own, and leaves the navigation as it is. */
export class PageBoundary extends Component<Props, { fault: string | undefined }> {
  static override getDerivedStateFromError(error: unknown): { fault: string } {
    return { fault: error instanceof Error ? error.message : String(error) };
  }

  override state = { fault: undefined };

  override componentDidUpdate(before: Props): void {
    if (before.path !== this.props.path && this.state.fault !== undefined) this.setState({ fault: undefined });
  }

  override render(): ComponentChildren {
    if (this.state.fault === undefined) return this.props.children;
    return (
      <div class="page">
        <PageHead title="This page has failed" />
        <div class="state state-failed" role="alert">
          <p>A defect of the console: {this.state.fault}</p>
          <button type="button" class="button" onClick={() => location.reload()}>
            Load anew
          </button>
        </div>
      </div>
    );
  }
}
