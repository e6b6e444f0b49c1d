//go:build !race

package test

import (
	"fmt"
	"testing"
)

func TestCD(t *testing.T) {
	d := deliver(t, threeAccounts())
	p := d.cd.one("AWS::CodePipeline::Pipeline")
	for _, s := range list(p["Stages"]) {
		fmt.Println(at(s, "Name"), text(at(s, "BeforeEntry")), text(at(s, "OnFailure")))
		for _, a := range list(at(s, "Actions")) {
			fmt.Println("   ", at(a, "RunOrder"), at(a, "Name"), text(at(a, "Configuration")), text(at(a, "RoleArn")))
		}
	}
}
