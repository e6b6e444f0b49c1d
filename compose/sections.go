package compose

import (
	"fmt"
	"maps"
	"slices"

	"composecdk/compose/diag"
)

// ownSections are the top-level extensions that other parts of the resolver
// read; the x-resources come with their schemas.
var ownSections = []string{
	"x-aws-cluster", "x-aws-vpc", "x-cloudmap", "x-cluster", "x-configs",
	"x-elbv2", "x-stacks", "x-tags", "x-vpc",
}

// unsupportedSections are sections of ECS ComposeX, Docker's ECS integration and
// this project that have no construct, unless a schema says that they do. To use one is an error: what it
// describes would be missing from the deployment.
var unsupportedSections = []string{
	"x-alarms", "x-appmesh", "x-aps", "x-aws-cloudformation",
	"x-aws-loadbalancer", "x-codeguru_profiler", "x-cognito_userpool",
	"x-dashboards", "x-dns", "x-docdb", "x-efs", "x-elasticache", "x-events",
	"x-kinesis", "x-kinesis_firehose", "x-neptune", "x-opensearch",
	"x-sns", "x-ssm_parameter", "x-wafv2_webacl",
}

// sections gives every top-level extension a meaning or a diagnostic.
func (r *resolver) sections() {
	known := slices.Concat(ownSections, r.schemaKeys())
	for _, key := range slices.Sorted(maps.Keys(r.project.Extensions)) {
		path := Path(key)
		switch {
		case slices.Contains(known, key):
		case slices.Contains(unsupportedSections, key):
			r.Errorf(path, "unsupported-"+key, "section %s is not supported yet", key)
		case looksLikeResources(r.project.Extensions[key]):
			r.Unknown(path, "section-unknown", "a section of x-resources", key, slices.Concat(known, unsupportedSections))
		case diag.Nearest(key, known) != "":
			r.Add(Warning, path, "section-unknown", diag.DidYouMean(key, known),
				fmt.Sprintf("%q is not a section; it is ignored", key))
		default:
			r.Notef(path, "section-ignored", "%q is not a section of Compose CDK; it is ignored", key)
		}
	}
}

func (r *resolver) schemaKeys() []string {
	var keys []string
	for _, s := range r.schemas {
		keys = append(keys, s.Key)
	}
	return keys
}

// looksLikeResources reports whether a section has x-resources: it tells a mistyped one of x-resources from a YAML
// fragment kept under an x-* key for its anchors.
func looksLikeResources(section any) bool {
	entries, _ := section.(map[string]any)
	for _, entry := range entries {
		keys, _ := entry.(map[string]any)
		for _, key := range []string{"Properties", "MacroParameters", "Lookup", "Services"} {
			if _, ok := keys[key]; ok {
				return true
			}
		}
	}
	return false
}
