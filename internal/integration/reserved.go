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

// isReserved tells the headers that only the gateway may write.
func isReserved(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id":
		return true
	}
	return false
}

// isReservedForAWS is isReserved for AWS integrations, whose calls are signed.
func isReservedForAWS(name string) bool { return isReserved(name) || awsservice.IsOwnHeader(name) }

// checkHeaders refuses request parameters that are reserved headers.
func checkHeaders(i *apigw.Integration, isReserved func(string) bool) error {
	for _, parameter := range slices.Sorted(maps.Keys(i.RequestParameters)) {
		if name, ok := strings.CutPrefix(parameter, "integration.request.header."); ok && isReserved(name) {
			return fmt.Errorf("requestParameters[%q]: the header %s cannot be mapped", parameter, name)
		}
	}
	return nil
}

// checkMapped is checkHeaders for what templates have added.
func checkMapped(header []event.Parameter, isReserved func(string) bool) *failure.Error {
	for _, p := range header {
		if isReserved(p.Name) {
			return configurationError("the header %s cannot be mapped", p.Name)
		}
	}
	return nil
}
