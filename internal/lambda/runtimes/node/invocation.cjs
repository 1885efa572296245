// One invocation: the context that the handler gets, and the ways in which it
// may answer (a promise, the callback, context.done and its kin).
'use strict';

const channel = require('./channel.cjs');
const { describe } = require('./errors.cjs');

const major = Number((/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV || '') || [])[1] || 0);
const callbacksAreGone = major >= 24;

class Invocation {
  // finished is called when the answer has been sent and the next invocation
  // may be fetched.
  constructor({ id, deadline, arn, trace, client, text }, finished) {
    this.id = id;
    this.deadline = deadline;
    this.arn = arn;
    this.client = client;
    this.text = text;
    this.finished = finished;
    this.answered = false;
    this.waitForLoop = true;
    this.atEmptyLoop = undefined; // the answer that waits for the event loop to be empty
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
  }

  run(handler) {
    try {
      const callback = this.callback.bind(this);
      if (callbacksAreGone && handler.length >= 3) {
        const error = new Error('AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later.');
        error.name = 'Runtime.CallbackHandlerDeprecated';
        throw error;
      }
      const result = handler(JSON.parse(this.text), this.context(), callback);
      if (result && typeof result.then === 'function') {
        result.then((value) => this.succeed(value), (error) => this.fail(error));
      } else if (callbacksAreGone) {
        this.succeed(result);
      } else if (result !== undefined) {
        console.warn('The handler returned a value without being async. AWS ignores it for this runtime: make the handler async, or call the callback.');
      }
    } catch (error) {
      this.fail(error);
    }
  }

  succeed(value) {
    if (this.answered) return;
    let text;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      const error = new Error('Unable to stringify response body');
      error.name = 'Runtime.MarshalError';
      error.stack = `${error.name}: ${error.message}\n${cause.stack}`;
      this.fail(error);
      return;
    }
    this.answered = true;
    channel.respond(this.id, text === undefined ? 'null' : text);
    this.finished();
  }

  fail(error) {
    if (this.answered) return;
    console.error('Invoke Error', error);
    this.sendError(error);
    this.finished();
  }

  // sendError calls done when the error has been written, and at once if there
  // was an answer already.
  sendError(error, done) {
    if (this.answered) {
      if (done) done();
      return;
    }
    this.answered = true;
    channel.fail(this.id, describe(error), done);
  }

  callback(error, value) {
    if (this.answered || this.atEmptyLoop) return;
    if (error !== undefined && error !== null) {
      this.done(() => this.fail(error));
    } else {
      this.done(() => this.succeed(value));
    }
  }

  done(answer) {
    if (!this.waitForLoop) answer();
    else this.atEmptyLoop = answer;
  }

  // loopIsEmpty is called when nothing is left that could call back.
  loopIsEmpty() {
    if (this.answered) return;
    const answer = this.atEmptyLoop || (() => this.succeed(null));
    answer();
  }

  context() {
    const invocation = this;
    const env = process.env;
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return invocation.waitForLoop;
      },
      set callbackWaitsForEmptyEventLoop(wait) {
        invocation.waitForLoop = Boolean(wait);
      },
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: this.client ? JSON.parse(this.client) : undefined,
      identity: undefined,
      invokedFunctionArn: this.arn,
      awsRequestId: this.id,
      getRemainingTimeInMillis: () => invocation.deadline - Date.now(),
    };
    if (!callbacksAreGone) {
      context.done = (error, value) => this.callback(error, value);
      context.succeed = (value) => this.succeed(value);
      context.fail = (error) => this.fail(error === undefined || error === null ? 'handled' : error);
    }
    return context;
  }
}

exports.Invocation = Invocation;
