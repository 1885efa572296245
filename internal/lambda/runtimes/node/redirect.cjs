// Connections to hosts that match STAGEDOOR_REDIRECT_HOSTS go to
// STAGEDOOR_REDIRECT_ADDRESS. Only the address of the socket changes: the TLS
// server name, the Host header and the check of the certificate are the
// caller's. All clients (http, https, http2, fetch) open sockets here.
'use strict';

const net = require('node:net');

const address = process.env.STAGEDOOR_REDIRECT_ADDRESS;
if (address) {
  const colon = address.lastIndexOf(':');
  const target = { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
  const hosts = (process.env.STAGEDOOR_REDIRECT_HOSTS || '')
    .split(',')
    .filter(Boolean)
    .map((pattern) => new RegExp('^' + pattern.split('*').map(escape).join('.*') + '$', 'i'));

  const turned = (options) => {
    const host = typeof options.host === 'string' ? options.host.replace(/\.$/, '') : '';
    if (options.path || !hosts.some((pattern) => pattern.test(host))) return undefined;
    return { ...options, ...target, lookup: undefined, localAddress: undefined };
  };

  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const first = args[0];
    if (Array.isArray(first)) {
      // net and tls hand on arguments they have normalized: [options, callback],
      // marked with a symbol that the copy must keep.
      const options = first[0] && turned(first[0]);
      if (options) {
        const copy = first.slice();
        for (const mark of Object.getOwnPropertySymbols(first)) copy[mark] = first[mark];
        copy[0] = options;
        args[0] = copy;
      }
    } else if (first !== null && typeof first === 'object') {
      args[0] = turned(first) || first;
    } else if (typeof args[1] === 'string') {
      const options = turned({ port: first, host: args[1] });
      if (options) args.splice(0, 2, options);
    }
    return connect.apply(this, args);
  };
}

function escape(text) {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}
