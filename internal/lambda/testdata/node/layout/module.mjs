const answer = await Promise.resolve('from a module');
export const handler = async () => answer;
