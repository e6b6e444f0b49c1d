"${set_image[@]}" --zip="$COMPOSE_OBJECT"
