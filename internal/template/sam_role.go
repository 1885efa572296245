package template

import (
	"strconv"
	"strings"
)

// role makes the execution role of a function that names none.
func (f *samFunction) role() {
	line := f.res.line
	p := newObject(line,
		with("AssumeRolePolicyDocument", assumeRolePolicy(line)),
		with("ManagedPolicyArns", newList(line, newText(line, managedPolicy("service-role/AWSLambdaBasicExecutionRole")))),
		with("Tags", f.tags()),
	)
	p.set("AssumeRolePolicyDocument", f.properties.get("AssumeRolePolicyDocument"))
	p.set("Path", f.properties.get("RolePath"))
	p.set("PermissionsBoundary", f.properties.get("PermissionsBoundary"))
	managed := p.get("ManagedPolicyArns")
	if f.properties.get("VpcConfig") != nil {
		managed.items = append(managed.items, newText(line, managedPolicy("service-role/AWSLambdaVPCAccessExecutionRole")))
	}
	if f.properties.get("Tracing").is("Active") {
		managed.items = append(managed.items, newText(line, managedPolicy("AWSXRayDaemonWriteAccess")))
	}
	inline := newList(line)
	if policies := f.properties.get("Policies"); policies != nil {
		f.policies(policies, managed, inline)
	}
	if len(inline.items) > 0 {
		p.set("Policies", inline)
	}
	f.add(f.res, f.res.id+"Role", "AWS::IAM::Role", p, f.attributes...)
}

func managedPolicy(name string) string { return "arn:aws:iam::aws:policy/" + name }

func assumeRolePolicy(line int) *value {
	allowed := newObject(line,
		with("Action", newList(line, newText(line, "sts:AssumeRole"))),
		with("Effect", newText(line, "Allow")),
		with("Principal", newObject(line, with("Service", newList(line, newText(line, "lambda.amazonaws.com"))))),
	)
	return newObject(line, with("Statement", newList(line, allowed)), with("Version", newText(line, "2012-10-17")))
}

// policies adds the entries of the property Policies to the lists of managed
// policies and of policy documents. SAM's policy templates stay as they are
// written: no permission is enforced on a function here, and the whole role is
// reported as ignored.
func (f *samFunction) policies(policies, managed, inline *value) {
	items := []*value{policies}
	if policies.kind == list {
		items = policies.items
	}
	for i, policy := range items {
		_, isCall := asCall(policy)
		name := f.res.id + "RolePolicy" + strconv.Itoa(i)
		switch {
		case policy.kind == text && !strings.HasPrefix(policy.text, "arn:"):
			managed.items = append(managed.items, newText(policy.line, managedPolicy(policy.text)))
		case policy.kind == text || isCall:
			managed.items = append(managed.items, policy)
		case policy.get("Statement") != nil:
			inline.items = append(inline.items, newObject(policy.line,
				with("PolicyDocument", policy),
				with("PolicyName", newText(policy.line, name)),
			))
		case policy.kind == object:
			p := policy.without()
			p.set("PolicyName", newText(policy.line, name))
			inline.items = append(inline.items, p)
		}
	}
}
