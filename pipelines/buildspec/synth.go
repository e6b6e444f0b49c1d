package buildspec

import (
	_ "embed"
)

var (
	//go:embed scripts/tools.sh
	tools string
	//go:embed scripts/compile.sh
	compile string
	//go:embed scripts/download.sh
	download string
	//go:embed scripts/checkout.sh
	checkout string
	//go:embed scripts/synth.sh
	synth string
	//go:embed scripts/upload.sh
	upload string
)

// Cached lists the paths that speed up a synthesis: Go's compiled and downloaded
// packages, npm's packages, and the CDK library as jsii has unpacked it.
var Cached = []string{"/root/.cache/go-build/**/*", "/root/go/pkg/mod/**/*", "/root/.npm/**/*", "/root/.cache/aws/jsii/**/*"}

// Synthesis describes a synthesis of the pipelines in a checkout of the platform
// repository.
type Synthesis struct {
	// Released means that the programs are downloaded rather than compiled: composecdk
	// and composer in an archive (tar.gz) at BINARY_URI with the checksum BINARY_SHA256.
	Released bool
	// Checkout means that the compose files are in another repository, at .checkout,
	// which is a link. It is copied, because links out of a folder are not followed in
	// untrusted files.
	Checkout bool
	// Unreleased means that applications may have no image yet.
	Unreleased bool
}

// Command returns the command that writes cdk.out, and the program composer in the
// folder tools. package-lock.json and go.sum pin all programs. PIPELINE_FILE names
// pipeline.yaml. After the download nothing has credentials.
func (s Synthesis) Command() string {
	parts := []string{"settings=(--context \"pipeline=$PIPELINE_FILE\")\n"}
	if s.Released {
		parts = append(parts, download, tools)
	} else {
		parts = append(parts, tools, compile)
	}
	if s.Checkout {
		parts = append(parts, checkout)
	}
	if s.Unreleased {
		parts = append(parts, "settings+=(--context unreleased=true)\n")
	}
	return Script(append(parts, synth)...)
}

// Upload returns the command that copies the program composer to the object COMPOSER.
func Upload() string { return Script(upload) }
