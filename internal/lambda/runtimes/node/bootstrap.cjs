// Runs a Node.js function: loads its handler and carries invocations from the
// gateway to it. What functions can see of it is as in AWS.
'use strict';

const channel = require('./channel.cjs');
const { loadHandler } = require('./handler.cjs');
const { describe } = require('./errors.cjs');
const { Invocation } = require('./invocation.cjs');

let current; // the invocation that the handler works on

function fail(error, exitCode) {
  console.error(printable(error));
  const exit = () => process.exit(exitCode);
  if (current) current.sendError(error, exit);
  else channel.failInit(describe(error), exit);
}

function printable(error) {
  return error instanceof Error ? error.stack || String(error) : error;
}

process.on('uncaughtException', (error) => fail(error, 129));
process.on('unhandledRejection', (reason) => {
  const error = new Error(reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason));
  error.name = 'Runtime.UnhandledPromiseRejection';
  error.reason = reason;
  if (reason instanceof Error) error.stack = `${error.name}: ${reason.stack}`;
  fail(error, 128);
});
// A handler that neither answers nor has anything left to wait for: AWS
// answers null for it.
process.on('beforeExit', () => current && current.loopIsEmpty());

async function main() {
  let handler;
  try {
    handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (error) {
    fail(error, 1);
    return;
  }
  next(handler);
}

function next(handler) {
  current = undefined;
  channel.next((event) => {
    current = new Invocation(event, () => next(handler));
    current.run(handler);
  });
}

main();
