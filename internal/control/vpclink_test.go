package control

import (
	"testing"

	sdkv1 "github.com/aws/aws-sdk-go-v2/service/apigateway"
	typesv1 "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

const balancerARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/rooms/0123456789abcdef"

// link creates a VPC link that integrations can go through.
func (h *harness) link(t *testing.T) string {
	t.Helper()
	return *must(t, h.v1.CreateVpcLink, &sdkv1.CreateVpcLinkInput{Name: new("rooms"), TargetArns: []string{balancerARN}}).Id
}

func driveVPCLink(t *testing.T, h *harness) {
	created := must(t, h.CreateVpcLink, &sdk.CreateVpcLinkInput{
		Name: new("rooms"), SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}, Tags: map[string]string{"team": "blue"},
	})
	id := created.VpcLinkId
	same(t, sdk.GetVpcLinkOutput(*created), *must(t, h.GetVpcLink, &sdk.GetVpcLinkInput{VpcLinkId: id}))
	if got := must(t, h.UpdateVpcLink, &sdk.UpdateVpcLinkInput{VpcLinkId: id, Name: new("halls")}); *got.Name != "halls" {
		t.Errorf("name %s", *got.Name)
	}
	h.link(t)
	must(t, h.CreateVpcLink, &sdk.CreateVpcLinkInput{Name: new("more"), SubnetIds: []string{"subnet-1"}})
	page := must(t, h.GetVpcLinks, &sdk.GetVpcLinksInput{MaxResults: new("1")})
	if page = must(t, h.GetVpcLinks, &sdk.GetVpcLinksInput{NextToken: page.NextToken}); len(page.Items) != 1 || page.NextToken != nil {
		t.Errorf("second page %+v", page)
	}
	must(t, h.DeleteVpcLink, &sdk.DeleteVpcLinkInput{VpcLinkId: id})
}

func driveVPCLinkV1(t *testing.T, h *harness) {
	created := must(t, h.v1.CreateVpcLink, &sdkv1.CreateVpcLinkInput{
		Name: new("rooms"), Description: new("all"), TargetArns: []string{balancerARN}, Tags: map[string]string{"team": "blue"},
	})
	if created.Status != typesv1.VpcLinkStatusAvailable {
		t.Errorf("status %s", created.Status)
	}
	same(t, sdkv1.GetVpcLinkOutput(*created), *must(t, h.v1.GetVpcLink, &sdkv1.GetVpcLinkInput{VpcLinkId: created.Id}))
	got := must(t, h.v1.UpdateVpcLink, &sdkv1.UpdateVpcLinkInput{VpcLinkId: created.Id, PatchOperations: patch(
		"replace", "/name", "halls", "replace", "/description", "",
	)})
	if *got.Name != "halls" || got.Description != nil {
		t.Errorf("link %+v", got)
	}
	h.link(t)
	if page := must(t, h.v1.GetVpcLinks, &sdkv1.GetVpcLinksInput{Limit: new(int32(1))}); page.Position == nil {
		t.Error("no position of the second page")
	}
	must(t, h.v1.DeleteVpcLink, &sdkv1.DeleteVpcLinkInput{VpcLinkId: created.Id})
}

// patch makes patch operations of operations, paths and values.
func patch(texts ...string) []typesv1.PatchOperation {
	var operations []typesv1.PatchOperation
	for i := 0; i < len(texts); i += 3 {
		operations = append(operations, typesv1.PatchOperation{Op: typesv1.Op(texts[i]), Path: &texts[i+1], Value: &texts[i+2]})
	}
	return operations
}

// Integrations go through links of v1, or those of the gateway's own
// configuration, and keep them from being deleted: section H.5.
func TestVPCLinkErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) {
		o.Quotas.VPCLinks = 2
		o.HasLink = func(id string) bool { return id == "configured" }
	})
	api, link := h.api(t), h.link(t)
	ofV2 := *must(t, h.CreateVpcLink, &sdk.CreateVpcLinkInput{Name: new("rooms"), SubnetIds: []string{"subnet-1"}}).VpcLinkId
	through := func(id string) *sdk.CreateIntegrationInput {
		return &sdk.CreateIntegrationInput{
			ApiId: &api, IntegrationType: "HTTP_PROXY", IntegrationUri: new("https://example.com"), IntegrationMethod: new("POST"),
			ConnectionType: "VPC_LINK", ConnectionId: &id,
		}
	}
	must(t, h.CreateIntegration, through("configured"))
	integration := must(t, h.CreateIntegration, through(link)).IntegrationId
	const noTargets = "Invalid targetArns specified: there must be one, the ARN of a load balancer"
	refuse(t, []errorCase{
		{"H.2", call(h.CreateIntegration, through("nothere")), missing("Invalid VpcLink identifier specified nothere")},
		{"H.5", call(h.CreateIntegration, through(ofV2)), missing("Invalid VpcLink identifier specified " + ofV2)},
		{"H.5", call(h.UpdateIntegration, &sdk.UpdateIntegrationInput{ApiId: &api, IntegrationId: integration, ConnectionId: &ofV2}),
			missing("Invalid VpcLink identifier specified " + ofV2)},
		{"H.2", call(h.GetVpcLink, &sdk.GetVpcLinkInput{VpcLinkId: &link}), missing("Invalid VpcLink identifier specified " + link)},
		{"H.2", call(h.v1.GetVpcLink, &sdkv1.GetVpcLinkInput{VpcLinkId: &ofV2}), missing("Invalid VpcLink identifier specified " + ofV2)},
		{"H.2", call(h.DeleteVpcLink, &sdk.DeleteVpcLinkInput{VpcLinkId: new("nothere")}), missing("Invalid VpcLink identifier specified nothere")},
		{"H.2", call(h.v1.DeleteVpcLink, &sdkv1.DeleteVpcLinkInput{VpcLinkId: new("nothere")}), missing("Invalid VpcLink identifier specified nothere")},
		{"H.2", call(h.CreateVpcLink, &sdk.CreateVpcLinkInput{Name: new("a"), SubnetIds: []string{"s"}}), used("VpcLinks", "account")},
		{"H.5", call(h.CreateVpcLink, &sdk.CreateVpcLinkInput{Name: new("a"), SubnetIds: []string{}}), badRequest("Missing required member: subnetIds")},
		{"H.5", call(h.v1.CreateVpcLink, &sdkv1.CreateVpcLinkInput{Name: new("a"), TargetArns: []string{}}), badRequest(noTargets)},
		{"H.5", call(h.v1.CreateVpcLink, &sdkv1.CreateVpcLinkInput{Name: new("a"), TargetArns: []string{"rooms"}}), badRequest(noTargets)},
		{"H.5", call(h.v1.UpdateVpcLink, &sdkv1.UpdateVpcLinkInput{VpcLinkId: &link, PatchOperations: patch("replace", "/targetArns", "x")}),
			badRequest("Invalid patch path  '/targetArns' specified for op 'replace'. Must be one of: [/description, /name]")},
		{"H.5", call(h.v1.UpdateVpcLink, &sdkv1.UpdateVpcLinkInput{VpcLinkId: &link, PatchOperations: patch("replace", "/name", "")}),
			badRequest("Invalid value for name: it must have between 1 and 128 characters.")},
		{"H.5", call(h.v1.DeleteVpcLink, &sdkv1.DeleteVpcLinkInput{VpcLinkId: &link}),
			badRequest("Cannot delete vpc link. Vpc link '" + link + "', is referenced in [" + api + ":" + *integration + "] in format of [Api:Integration].")},
	})
	must(t, h.DeleteIntegration, &sdk.DeleteIntegrationInput{ApiId: &api, IntegrationId: integration})
	must(t, h.v1.DeleteVpcLink, &sdkv1.DeleteVpcLinkInput{VpcLinkId: &link})
}
