exports.handler = async (event, context) => ({ echo: event, id: context.awsRequestId });
