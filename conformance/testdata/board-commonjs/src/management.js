"use strict";

// A POST to @connections with Node's own fetch, signed with Signature Version 4.

const { createHash, createHmac } = require("crypto");

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

exports.postTo = function (endpoint, connectionId, body) {
  const url = new URL(`${endpoint}/@connections/${encodeURIComponent(connectionId)}`);
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const headers = { "host": url.host, "x-amz-date": now };
  if (process.env.AWS_SESSION_TOKEN) headers["x-amz-security-token"] = process.env.AWS_SESSION_TOKEN;

  const signed = Object.keys(headers).join(";");
  const path = url.pathname.split("/").map(encodeURIComponent).join("/");
  const request = ["POST", path, "", ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    "", signed, sha256(body)].join("\n");
  const scope = `${now.slice(0, 8)}/${process.env.AWS_REGION}/execute-api/aws4_request`;
  const key = scope.split("/").reduce(hmac, `AWS4${process.env.AWS_SECRET_ACCESS_KEY}`);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", now, scope, sha256(request)].join("\n")).toString("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${process.env.AWS_ACCESS_KEY_ID}/${scope}, ` +
    `SignedHeaders=${signed}, Signature=${signature}`;
  delete headers.host; // fetch sets it
  return fetch(url, { method: "POST", headers, body });
};
