env -u AWS_CONTAINER_CREDENTIALS_RELATIVE_URI -u AWS_CONTAINER_CREDENTIALS_FULL_URI \
  cdk synth --app ./composecdk --no-lookups --quiet "${settings[@]}"
