aws s3 cp --only-show-errors composer "$COMPOSER"
