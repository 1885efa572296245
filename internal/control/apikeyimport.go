package control

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// importedKey is a line of a file of API keys.
type importedKey struct {
	*apigw.ApiKey
	line  int
	plans []string
}

// importAPIKeys makes keys from a file of comma-separated values. Its first
// line names the columns: name and key, and perhaps description, enabled and
// usageplanIds. A line that is wrong is left out, with a warning; with
// failonwarnings, one wrong line means that nothing is imported.
func (s *server) importAPIKeys(ctx context.Context, in *wirev1.ImportApiKeysRequest) (*wirev1.ApiKeyIds, error) {
	imported, err := readKeys(in.Body)
	if err != nil {
		return nil, err
	}
	keys, err := s.listKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &wirev1.ApiKeyIds{Ids: []string{}}
	var good []importedKey
	all := slices.Clone(keys)
	for _, key := range imported {
		err := s.checkImported(ctx, key, all)
		var refused *apigw.Error
		switch {
		case err == nil:
			good = append(good, key)
			all = append(all, key.ApiKey)
		case errors.As(err, &refused):
			out.Warnings = append(out.Warnings, fmt.Sprintf("Line %d: %s", key.line, refused.Message))
		default:
			return nil, err
		}
	}
	if len(out.Warnings) > 0 && in.FailOnWarnings != nil && *in.FailOnWarnings {
		return nil, apigw.BadRequest(strings.Join(out.Warnings, "; "))
	}
	for _, key := range good {
		if err := s.addKey(ctx, key.ApiKey, keys); err != nil {
			return nil, err
		}
		keys = append(keys, key.ApiKey)
		out.Ids = append(out.Ids, key.Id)
		for _, plan := range key.plans {
			if err := s.addKeyToPlan(ctx, key.Id, plan); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// checkImported returns an error unless a line's key can be added to the keys
// that exist.
func (s *server) checkImported(ctx context.Context, key importedKey, keys []*apigw.ApiKey) error {
	if err := s.checkNewKey(key.ApiKey, keys); err != nil {
		return err
	}
	for _, plan := range key.plans {
		if _, _, err := s.loadPlan(ctx, plan); err != nil {
			return err
		}
	}
	return nil
}

// readKeys reads a file of keys.
func readKeys(file []byte) ([]importedKey, error) {
	reader := csv.NewReader(bytes.NewReader(file))
	reader.TrimLeadingSpace = true
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, apigw.BadRequest("Invalid API Key file: " + err.Error())
	}
	if len(lines) == 0 {
		return nil, apigw.BadRequest("Invalid API Key file: it is empty")
	}
	columns := make(map[string]int)
	for i, name := range lines[0] {
		columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, name := range []string{"name", "key"} {
		if _, found := columns[name]; !found {
			return nil, apigw.BadRequest("Invalid API Key file: the column " + name + " is missing")
		}
	}
	keys := make([]importedKey, 0, len(lines)-1)
	for i, line := range lines[1:] {
		value := func(column string) string {
			at, found := columns[column]
			if !found {
				return ""
			}
			return strings.TrimSpace(line[at])
		}
		key, err := readKey(value)
		if err != nil {
			return nil, apigw.BadRequest(fmt.Sprintf("Invalid API Key file: line %d: %v", i+2, err))
		}
		key.line = i + 2
		keys = append(keys, key)
	}
	return keys, nil
}

// readKey reads a key by its columns. It is enabled unless the file says that
// it is not.
func readKey(value func(column string) string) (importedKey, error) {
	key := importedKey{ApiKey: &apigw.ApiKey{
		Name: value("name"), Value: value("key"), Description: value("description"), Enabled: true,
	}}
	if enabled := value("enabled"); enabled != "" {
		var err error
		if key.Enabled, err = strconv.ParseBool(strings.ToLower(enabled)); err != nil {
			return key, fmt.Errorf("enabled is TRUE or FALSE, not %q", enabled)
		}
	}
	for plan := range strings.SplitSeq(value("usageplanids"), ",") {
		if plan = strings.TrimSpace(plan); plan != "" {
			key.plans = append(key.plans, plan)
		}
	}
	return key, nil
}
