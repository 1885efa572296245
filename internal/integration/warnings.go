package integration

import (
	"fmt"

	"github.com/stagedoor/stagedoor/internal/mapping"
)

var _ mapping.Logger = event{}

// Log implements mapping.Logger.
func (e event) Log(template string, line, column int, message string) {
	o := &e.Request.Integration
	o.Warnings = append(o.Warnings, fmt.Sprintf("%s: line %d, column %d: %s", template, line, column, abbreviate([]byte(message))))
}
