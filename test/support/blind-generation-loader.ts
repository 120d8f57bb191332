/** A module hook (Node's manual, "Customization Hooks"). */
import type { ResolveHook } from 'node:module';

const blind = new URL('./blind-generation.js', import.meta.url).href;

export const resolve: ResolveHook = async (specifier, context, next) => {
  const resolved = await next(specifier, context);
  const isReal = resolved.url.endsWith('/src/cache/generation.js');
  return isReal && context.parentURL !== blind ? { ...resolved, url: blind } : resolved;
};
