#!/bin/bash
# Rewrites gate/testdata/good/{rich,blog}: two applications as the program
# synthesises them, reduced to the files that the gate reads. good/delivery is written by
# hand. Run it from the root of the repository after `make build`.
set -euo pipefail
good=gate/testdata/good
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for app in rich=test/fixture/testdata/rich blog=examples/blog; do
	name=${app%%=*}
	context='{"compose":"'${app#*=}'/compose.yaml","account":"111111111111","region":"eu-west-1"}'
	CDK_VALIDATION=false CDK_OUTDIR=$scratch/$name CDK_CONTEXT_JSON=$context bin/composecdk 2>/dev/null
	rm -rf "${good:?}/$name" && mkdir -p "$good/$name"
	cp "$scratch/$name"/*.template.json "$good/$name"
	python3 - "$scratch/$name/manifest.json" "$good/$name/manifest.json" <<'PY'
import json, sys
read, write = sys.argv[1:]
stacks = {
    id: {key: a[key] for key in ("type", "environment", "displayName")}
    | {"properties": {key: a["properties"][key] for key in ("templateFile", "stackName") if key in a["properties"]}}
    for id, a in json.load(open(read))["artifacts"].items()
    if a["type"] == "aws:cloudformation:stack"
}
json.dump({"artifacts": stacks}, open(write, "w"), indent=1)
open(write, "a").write("\n")
PY
done
