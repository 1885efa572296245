// Package filelock locks files between processes. A lock ends with its process
// at the latest.
package filelock
