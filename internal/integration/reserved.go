package integration

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// isReserved reports whether a header is one that only the gateway may set.
func isReserved(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id":
		return true
	}
	return false
}

// isReservedForAWS is isReserved for AWS integrations: their calls are signed, so
// that there are more.
func isReservedForAWS(name string) bool { return isReserved(name) || awsservice.IsOwnHeader(name) }

// checkHeaders returns an error for request parameters that map a reserved header.
func checkHeaders(i *apigw.Integration, isReserved func(string) bool) error {
	for _, parameter := range slices.Sorted(maps.Keys(i.RequestParameters)) {
		if name, ok := strings.CutPrefix(parameter, "integration.request.header."); ok && isReserved(name) {
			return fmt.Errorf("requestParameters[%q]: the header %s cannot be mapped", parameter, name)
		}
	}
	return nil
}

// checkMapped returns an error for a reserved header among those that were mapped:
// templates can add headers that checkHeaders does not see.
func checkMapped(header []event.Parameter, isReserved func(string) bool) *failure.Error {
	for _, p := range header {
		if isReserved(p.Name) {
			return configurationError("the header %s cannot be mapped", p.Name)
		}
	}
	return nil
}
