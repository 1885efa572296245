// Errors as AWS's Node.js runtime describes them.
'use strict';

// describe is the error object that Invoke returns.
exports.describe = (error) => {
  try {
    if (error instanceof Error || (error !== null && typeof error === 'object' && 'stack' in error && 'message' in error)) {
      return {
        errorType: String(error.name || 'Error'),
        errorMessage: String(error.message),
        trace: String(error.stack || '').split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack', trace: [] };
  }
};

// runtimeError is an error of the runtime, not of the function's code.
exports.runtimeError = (name, message, cause) => {
  const error = new Error(message);
  error.name = name;
  error.stack = cause && cause.stack ? `${name}: ${cause.stack}` : `${name}: ${message}`;
  return error;
};
