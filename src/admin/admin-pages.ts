/** Maps paths to pages. */
import { isProfilePath, profilesPath } from './access.ts';
import type { AdminAnswer, AdminPage } from './admin-page.ts';

export interface AdminPages {
  readonly metricsPath: string;
  /** `undefined`: no metrics. */
  readonly metrics: AdminPage | undefined;
  /** Receives the path after `/debug/pprof`. */
  readonly profiles: AdminPage | undefined;
}

/** The paths of the pages. */
export interface AdminPaths {
  /** `null`: no metrics. */
  readonly metricsPath: string | null;
  readonly hasProfiles: boolean;
}

export function isAdminPath({ metricsPath, hasProfiles }: AdminPaths, path: string): boolean {
  return path === metricsPath || (hasProfiles && isProfilePath(path));
}

export function createAdminPages({ metricsPath, metrics, profiles }: AdminPages): AdminPage {
  return async function answer(request, signal) {
    const { path } = request;
    if (metrics !== undefined && path === metricsPath) return metrics(request, signal);
    if (profiles === undefined || !isProfilePath(path)) return notFound;
    // The page's links are relative, and so is this redirect: a proxy may strip a prefix.
    if (path === profilesPath) return redirect('pprof/');
    return profiles({ ...request, path: path.slice(profilesPath.length) }, signal);
  };
}

const text = 'text/plain; charset=utf-8';
const notFound: AdminAnswer = { status: 404, contentType: text, body: 'There is no such page.\n' };

function redirect(location: string): AdminAnswer {
  return { status: 301, contentType: text, body: `${location}\n`, headers: { Location: location } };
}
