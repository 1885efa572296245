'use strict';

const { createHash } = require('node:crypto');

const zeros = Buffer.alloc(1 << 20);

exports.echo = async (event) => ({ statusCode: 200, body: event.body });

// compute needs a processor for a few milliseconds.
exports.compute = async (event) => {
  createHash('sha256').update(zeros).digest();
  return { statusCode: 200, body: event.body };
};

exports.wait = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { statusCode: 200, body: event.body };
};
