// Signs the requests of its standard input with the signer of the AWS SDK for
// JavaScript, and prints what a client would send.
import { createHash, createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

// The packages are those of the working directory, not of this file's.
const { SignatureV4 } = createRequire(process.cwd() + "/")("@smithy/signature-v4");

class Sha256 {
  constructor(secret) {
    this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret);
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.hash.digest());
  }
}

const { accessKeyId, secretAccessKey, region, requests } = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const { method, host, path, query, headers, body, presign, sessionToken } of requests) {
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined },
    region, service: "execute-api", sha256: Sha256,
  });
  const request = { method, protocol: "https:", hostname: host, path, query: query ?? {}, headers: { host, ...headers }, body: body || undefined };
  const signed = presign ? await signer.presign(request, { expiresIn: 60 }) : await signer.sign(request);
  const pairs = Object.entries(signed.query).flatMap(([name, values]) =>
    [values].flat().map((value) => encode(name) + "=" + encode(value)));
  answers.push({ target: signed.path + (pairs.length ? "?" + pairs.join("&") : ""), headers: signed.headers });
}
console.log(JSON.stringify(answers));

function encode(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
}
