// Calls the management API with the AWS SDK for JavaScript, an operation for
// each line of standard input, and prints a line with the outcome of each.
//
//   node operations.mjs ENDPOINT
//
// A line in is {"operation":"PostToConnection","input":{…}}, a line out
// {"status":200,"output":{…}} or {"status":410,"error":"GoneException"}.
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-apigatewaymanagementapi";

const client = new sdk.ApiGatewayManagementApiClient({
  endpoint: process.argv[2],
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  maxAttempts: 1,
});

async function outcome({ operation, input }) {
  try {
    const { $metadata, ...output } = await client.send(new sdk[`${operation}Command`](input));
    return { status: $metadata.httpStatusCode, output };
  } catch (error) {
    if (!error.$metadata) throw error; // no answer at all
    return {
      status: error.$metadata.httpStatusCode,
      error: error.name,
      gone: error instanceof sdk.GoneException,
    };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await outcome(JSON.parse(line))));
}
client.destroy();
