package gate

import (
	"io"
	"net/url"
	"slices"
	"strings"
)

// These types mirror the part of SARIF 2.1.0 that a check needs
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		Help             sarifText `json:"help"`
		HelpURI          string    `json:"helpUri,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name           string `json:"name,omitempty"`
		FullyQualified string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// SARIF prints a report for code hosts and editors. Accepted findings are suppressed results
// with their reasons.
func (r *Report) SARIF(w io.Writer) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver.Name = "composer"
	for _, rule := range Rules {
		row := sarifRule{ID: rule.ID, ShortDescription: sarifText{rule.Summary}, Help: sarifText{rule.Source}}
		if strings.HasPrefix(rule.Source, "https://") {
			row.HelpURI = rule.Source
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, row)
	}
	for _, f := range r.Findings {
		result := sarifResult{
			RuleID: f.Rule, RuleIndex: slices.IndexFunc(Rules, func(r Rule) bool { return r.ID == f.Rule }),
			Level: "error", Message: sarifText{f.Message},
		}
		location := sarifLocation{Logical: []sarifLogical{{Name: f.Resource, FullyQualified: f.place()}}}
		location.Physical.Artifact.URI = (&url.URL{Path: f.File}).String()
		if f.Line > 0 {
			location.Physical.Region = &sarifRegion{StartLine: f.Line}
		}
		result.Locations = []sarifLocation{location}
		if f.Accepted != "" {
			result.Suppressions = []sarifSuppression{{Kind: "external", Justification: f.Accepted}}
		}
		run.Results = append(run.Results, result)
	}
	return indented(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}
