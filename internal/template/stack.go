package template

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// stack is the stack that a template is read for. Pseudo parameters and ids are
// made from it.
type stack struct {
	name, region, account, partition, suffix string
}

var notStackName = lazyregexp.New(`[^A-Za-z0-9-]+`)

// newStack makes a stack from the options and their defaults.
func newStack(file string, o Options) stack {
	s := stack{name: o.StackName, region: o.Region, account: o.AccountID, partition: "aws", suffix: "amazonaws.com"}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.account == "" {
		s.account = "123456789012"
	}
	if s.name == "" {
		s.name = stackNameOf(file)
	}
	switch {
	case strings.HasPrefix(s.region, "cn-"):
		s.partition, s.suffix = "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(s.region, "us-gov-"):
		s.partition = "aws-us-gov"
	}
	return s
}

// stackNameOf makes the name of a stack from the folder of its template.
func stackNameOf(file string) string {
	absolute, err := filepath.Abs(file)
	if err != nil {
		absolute = file
	}
	name := filepath.Base(filepath.Dir(absolute))
	name = strings.Trim(notStackName.Compiled().ReplaceAllString(name, "-"), "-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = strings.TrimSuffix("stack-"+name, "-")
	}
	return name
}

// arn makes an ARN in the stack's region and account.
func (s stack) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", s.partition, service, s.region, s.account, resource)
}

// globalARN makes an ARN of a service whose ARNs have no region, and perhaps
// no account.
func (s stack) globalARN(service, account, resource string) string {
	return fmt.Sprintf("arn:%s:%s::%s:%s", s.partition, service, account, resource)
}

func (s stack) hash(logicalID string) [sha256.Size]byte {
	return sha256.Sum256([]byte(s.name + "/" + logicalID))
}

// id returns an id for a resource, of n characters [a-z0-9], the same at every
// start.
func (s stack) id(logicalID string, n int) string {
	hash := s.hash(logicalID)
	digits := new(big.Int).SetBytes(hash[:]).Text(36)
	return digits[len(digits)-n:]
}

// physicalName returns the name that CloudFormation would give a resource: the
// stack's, the logical id, and 12 characters that tell stacks apart. Names are
// cut where they would be longer than limit.
func (s stack) physicalName(logicalID string, limit int) string {
	hash := s.hash(logicalID)
	suffix := base32.StdEncoding.EncodeToString(hash[:])[:12]
	room := limit - len(suffix) - 2
	name, logical := s.name, logicalID
	if over := len(name) + len(logical) - room; over > 0 {
		logical = logical[:max(len(logical)-over, min(len(logical), room/2))]
		name = name[:max(0, min(len(name), room-len(logical)))]
	}
	return name + "-" + logical + "-" + suffix
}

// uuid returns the stack's id in the form of a UUID.
func (s stack) uuid() string {
	hash := s.hash("")
	h := hex.EncodeToString(hash[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// pseudoParameters are the names that every template may refer to.
var pseudoParameters = []string{
	"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition",
	"AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
}

// pseudo returns the value of a pseudo parameter, or nil; AWS::NoValue is null.
func (s stack) pseudo(name string, line int) *value {
	switch name {
	case "AWS::AccountId":
		return newText(line, s.account)
	case "AWS::NoValue":
		return &value{kind: null, line: line}
	case "AWS::NotificationARNs":
		return newList(line)
	case "AWS::Partition":
		return newText(line, s.partition)
	case "AWS::Region":
		return newText(line, s.region)
	case "AWS::StackId":
		return newText(line, s.arn("cloudformation", "stack/"+s.name+"/"+s.uuid()))
	case "AWS::StackName":
		return newText(line, s.name)
	case "AWS::URLSuffix":
		return newText(line, s.suffix)
	}
	return nil
}
