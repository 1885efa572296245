package deploy

import (
	"errors"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// account is what the gateway's account has; nil where it does not say.
type account struct {
	logRole string // the ARN that stages with logs need; empty for none
}

// account reads the account's settings. Who deploys need not be allowed to.
func (r *reader) account() (*account, error) {
	var found wirev1.Account
	err := r.do(r.ctx, &call{Endpoint: wirev1.GetAccount.Endpoint}, &found)
	var refused *apigw.Error
	if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return nil, nil
	}
	return &account{logRole: text(found.CloudwatchRoleArn)}, err
}

// account gives the account a role for logs where a stage logs and there is
// none: API Gateway takes no such stage without. The role is a name alone: nothing
// here takes it on.
func (c *comparison) account(want, have *State) {
	if have.account == nil || have.account.logRole != "" || !want.logs() {
		return
	}
	role := "arn:" + apigw.Partition(c.region) + ":iam::" + want.accountID + ":role/apigateway-logs"
	change := &Change{Action: Update, Type: "Account", Members: []string{"cloudwatchRoleArn"}}
	change.calls = []step{{call: call{Endpoint: wirev1.UpdateAccount.Endpoint, body: properties{
		"patchOperations": []any{map[string]any{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}},
	}}}}
	c.add(change)
}

// logs reports whether a stage of the stack logs.
func (s *State) logs() bool {
	for _, a := range s.apis {
		for _, stage := range a.stages {
			settings, _ := stage.properties[defaultSettings].(map[string]any)
			if stage.properties[accessLog] != nil || turnsLoggingOn(settings) {
				return true
			}
			ofRoutes, _ := stage.properties[routeSettings].(map[string]any)
			for _, one := range ofRoutes {
				if settings, _ := one.(map[string]any); turnsLoggingOn(settings) {
					return true
				}
			}
		}
	}
	return false
}

func turnsLoggingOn(settings map[string]any) bool {
	level, given := settings["loggingLevel"]
	return given && level != "OFF" && level != ""
}
