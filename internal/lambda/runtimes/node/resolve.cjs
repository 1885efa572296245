// Lets ES modules import packages from NODE_PATH, which Node.js itself offers
// to require alone. It is asked only for what normal resolution doesn't find.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const module_ = require('node:module');
const { pathToFileURL } = require('node:url');
const { isMainThread } = require('node:worker_threads');

const parents = (process.env.NODE_PATH || '')
  .split(path.delimiter)
  .filter((folder) => path.basename(folder) === 'node_modules' && fs.existsSync(folder))
  .map((folder) => pathToFileURL(path.join(path.dirname(folder), 'importer.mjs')).href);

if (parents.length > 0 && isMainThread) {
  if (typeof module_.registerHooks === 'function') {
    module_.registerHooks({ resolve: resolveSync });
  } else if (typeof module_.register === 'function') {
    module_.register('./resolve-hook.mjs', pathToFileURL(__filename), { data: { parents } });
  }
}

function resolveSync(specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !isBare(specifier)) throw error;
    for (const parentURL of parents) {
      try {
        return next(specifier, { ...context, parentURL });
      } catch {
        // The next folder may have it; if none does, the first error counts.
      }
    }
    throw error;
  }
}

function isBare(specifier) {
  return !/^(\.{0,2}\/|[a-z]+:)/i.test(specifier);
}
