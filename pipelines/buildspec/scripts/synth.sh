cdk synth --app ./composecdk --no-lookups --quiet "${settings[@]}"
