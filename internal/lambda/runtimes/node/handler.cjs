// Finds the function that a handler string such as "src/app.api.onConnect"
// names: the file, then the exports within it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const { runtimeError } = require('./errors.cjs');

const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');

// The global that AWS's runtime offers. A handler wrapped for streaming is
// marked, so that it can be refused.
globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[streaming] = 'response';
    return handler;
  },
  HttpResponseStream: { from: (stream) => stream },
};

exports.loadHandler = async (taskRoot, name) => {
  const base = path.basename(name);
  const dot = base.indexOf('.');
  if (dot < 1 || dot === base.length - 1 || name.includes('..')) {
    throw runtimeError('Runtime.MalformedHandlerName', `Bad handler: "${name}" is not of the form file.export`);
  }
  const file = path.resolve(taskRoot, path.dirname(name), base.slice(0, dot));
  const loaded = await load(file, name);
  const handler = pick(loaded, base.slice(dot + 1).split('.'));
  if (handler === undefined) throw runtimeError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw runtimeError('Runtime.HandlerNotFound', `${name} is not a function`);
  if (handler[streaming]) {
    throw runtimeError('Runtime.StreamingNotSupported',
      `${name} is wrapped in awslambda.streamifyResponse. A WebSocket API takes buffered responses only: export the handler without it and return the response.`);
  }
  return handler;
};

function pick(loaded, names) {
  const found = names.reduce((value, key) => (value === undefined || value === null ? undefined : value[key]), loaded);
  if (found !== undefined) return found;
  // CommonJS that assigned to module.exports later than import could see.
  const fallback = loaded && loaded.default;
  return fallback && names.reduce((value, key) => (value === undefined || value === null ? undefined : value[key]), fallback);
}

async function load(file, name) {
  try {
    const found = ['', '.js', '.mjs', '.cjs'].map((ending) => file + ending).find(isFile);
    if (found) return await loadFile(found);
    const typescript = ['.ts', '.mts', '.cts', '.tsx'].map((ending) => file + ending).find(isFile);
    if (typescript) {
      throw runtimeError('Runtime.ImportModuleError',
        `${typescript} is TypeScript. Lambda runs JavaScript: compile it (tsc, esbuild or sam build) and point the function's code folder at the result.`);
    }
    // A folder with an index file, or a package that holds the handler.
    return createRequire(path.join(path.dirname(file), 'handler.js'))(file);
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError('Runtime.UserCodeSyntaxError', String(error), error);
    if (error && /^(ERR_)?MODULE_NOT_FOUND$/.test(error.code)) {
      throw runtimeError('Runtime.ImportModuleError', String(error), error);
    }
    throw error;
  }
}

async function loadFile(file) {
  if (file.endsWith('.mjs') || (file.endsWith('.js') && isModulePackage(path.dirname(file)))) return import(pathToFileURL(file).href);
  try {
    return createRequire(file)(file);
  } catch (error) {
    // ES module syntax in a file whose package doesn't say so: newer versions
    // of Node.js find out by themselves, for import more of them than for
    // require, and require doesn't ask the hook that looks on NODE_PATH.
    const esm = ['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE', 'ERR_MODULE_NOT_FOUND'].includes(error.code) ||
      (error instanceof SyntaxError && /import statement outside|Unexpected token 'export'|await is only valid/.test(error.message));
    if (!esm) throw error;
    return import(pathToFileURL(file).href);
  }
}

// isModulePackage says whether the nearest package.json makes .js files ES modules.
function isModulePackage(folder) {
  for (let at = folder; ; at = path.dirname(at)) {
    const description = path.join(at, 'package.json');
    if (isFile(description)) {
      try {
        return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module';
      } catch {
        return false;
      }
    }
    if (at === path.dirname(at)) return false;
  }
}

function isFile(name) {
  try {
    return fs.statSync(name).isFile();
  } catch {
    return false;
  }
}
