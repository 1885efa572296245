// Package dynamodb is a DynamoDB in memory for the dev command: it speaks the
// JSON 1.0 protocol, and nothing has to be installed for it.
//
// It has tables with local and global secondary indexes, items, expressions,
// batches, transactions and expiry by attribute (TTL), with DynamoDB's errors,
// limits and order of results. Numbers are exact to 38 digits.
//
// It is complete for what WebSocket applications do, and grows no further: what it
// lacks is refused with the real ones that have it, and the setting that uses them.
// It does not have: legacy parameters (Expected, KeyConditions,
// ScanFilter and the like), PartiQL, streams, backups, global tables, imports,
// tags. It accepts and ignores: provisioned capacity (nothing is throttled or
// billed, and ReturnConsumedCapacity returns nothing),
// ReturnItemCollectionMetrics, ClientRequestToken, encryption settings, and
// signatures. Reads are always consistent, global indexes included. Everything
// is lost when the process ends.
//
// docs/local-dynamodb.md has the same for users.
package dynamodb
