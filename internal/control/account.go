package control

import (
	"context"
	"errors"
	"regexp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/store"
)

func (s *server) accountOperations() []handler {
	return []handler{
		operation(wirev1.GetAccount, s.getAccount),
		operation(wirev1.UpdateAccount, s.updateAccount),
	}
}

// Settings that AWS returns for every account (section J).
const (
	accountRate   = 10000
	accountBurst  = 5000
	apiKeyVersion = "4"
	featurePlans  = "UsagePlans"
)

func (s *server) getAccount(ctx context.Context, _ *wirev1.GetAccountRequest) (*wirev1.Account, error) {
	account, _, err := s.loadAccount(ctx)
	if err != nil {
		return nil, err
	}
	return accountView(account), nil
}

func (s *server) updateAccount(ctx context.Context, in *wirev1.UpdateAccountRequest) (*wirev1.Account, error) {
	account, revision, err := s.loadAccount(ctx)
	if err != nil {
		return nil, err
	}
	// Usage plans are on in every account.
	feature := func(string, ...string) error { return nil }
	role := toText(&account.CloudwatchRoleArn)
	err = patches{
		"replace": {"/cloudwatchRoleArn": role},
		"add":     {"/features": feature},
		"remove":  {"/features": feature, "/cloudwatchRoleArn": role},
	}.apply(in.PatchOperations)
	if err != nil {
		return nil, err
	}
	if account.CloudwatchRoleArn != "" && !roleARN.MatchString(account.CloudwatchRoleArn) {
		return nil, apigw.BadRequest("Role ARN is not well formed")
	}
	// What nodes serve does not depend on it: there is nothing to wait for.
	if _, err := s.Store.Account.Put(ctx, account, revision); err != nil {
		return nil, err
	}
	return accountView(account), nil
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)

// loadAccount returns the account's settings, and its revision, 0 where nothing
// was set.
func (s *server) loadAccount(ctx context.Context) (*apigw.Account, uint64, error) {
	account, revision, err := s.Store.Account.Get(ctx, store.AccountID)
	if errors.Is(err, store.ErrNotFound) {
		return new(apigw.Account), 0, nil
	}
	return account, revision, err
}

func accountView(account *apigw.Account) *wirev1.Account {
	return &wirev1.Account{
		ApiKeyVersion:     new(apiKeyVersion),
		CloudwatchRoleArn: optional(account.CloudwatchRoleArn),
		Features:          []string{featurePlans},
		ThrottleSettings:  &wirev1.ThrottleSettings{RateLimit: new(float64(accountRate)), BurstLimit: new(accountBurst)},
	}
}
