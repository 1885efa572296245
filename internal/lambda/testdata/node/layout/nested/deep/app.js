exports.api = { v1: { onConnect: async () => 'nested' } };
