import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";

const TableName = process.env.TABLE;
const table = DynamoDBDocumentClient.from(new DynamoDBClient({ region: process.env.AWS_REGION }));

// Tells the others, at the host that the client used.
export async function handler({ requestContext: { connectionId, domainName, stage } }) {
  const { Attributes: gone } = await table.send(new DeleteCommand({
    TableName, Key: { connectionId }, ReturnValues: "ALL_OLD",
  }));
  if (!gone) return { statusCode: 200 }; // whoever found it gone before us has removed it

  const api = new ApiGatewayManagementApiClient({ endpoint: `https://${domainName}/${stage}` });
  const { Items } = await table.send(new ScanCommand({ TableName, ProjectionExpression: "connectionId" }));
  await Promise.allSettled(Items.map((reader) => api.send(new PostToConnectionCommand({
    ConnectionId: reader.connectionId,
    Data: JSON.stringify({ left: gone.name }),
  }))));
  return { statusCode: 200 };
}
