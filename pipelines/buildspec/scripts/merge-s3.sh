"${set_image[@]}" --attempts=60 --zip="$COMPOSE_OBJECT"
