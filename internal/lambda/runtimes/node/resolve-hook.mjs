// The same as resolveSync of resolve.cjs, for versions of Node.js whose hooks
// run on a thread of their own.
let parents = [];

export function initialize(data) {
  parents = data.parents;
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || /^(\.{0,2}\/|[a-z]+:)/i.test(specifier)) throw error;
    for (const parentURL of parents) {
      try {
        return await next(specifier, { ...context, parentURL });
      } catch {
        // The next folder may have it; if none does, the first error counts.
      }
    }
    throw error;
  }
}
