export GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0=credential.helper GIT_CONFIG_VALUE_0='!aws codecommit credential-helper $@'
export GIT_CONFIG_KEY_1=credential.useHttpPath GIT_CONFIG_VALUE_1=true
"${set_image[@]}" --push --attempts=60 --remote="$COMPOSE_URL" --branch="$BRANCH"
