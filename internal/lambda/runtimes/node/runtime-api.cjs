// A client of the Lambda Runtime API. It keeps what it needs of http to
// itself, so that a function which patches http can't break it.
'use strict';

const http = require('node:http');

const request = http.request;
const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { method, hostname, port, path: '/2018-06-01' + path, headers, agent };
    const outgoing = request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

exports.next = () => call('GET', '/runtime/invocation/next', {});

// post sends JSON text.
exports.post = (path, text, headers) => {
  const body = Buffer.from(text);
  return call('POST', path, { 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers }, body);
};

// report sends the description of an error.
exports.report = (path, description) =>
  exports.post(path, JSON.stringify(description), {
    'Lambda-Runtime-Function-Error-Type': description.errorType.replace(/[^\x20-\x7e]/g, '?'),
  });
