import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";

const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export const handler = async ({ requestContext, queryStringParameters }) => {
  await table.send(new PutCommand({
    TableName: process.env.TABLE,
    Item: { connectionId: requestContext.connectionId, name: queryStringParameters?.name ?? "someone" },
  }));
  return { statusCode: 200, body: "Welcome." };
};
