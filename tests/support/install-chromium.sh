#!/bin/sh
# Chromium for the browser tests, from the system's packages where they may be installed.
for name in "${CRYOTRAIL_CHROMIUM:-chromium}" chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then root=""; elif sudo -n true 2>/dev/null; then root="sudo"; else root=none; fi
    if [ "$root" != none ]; then
        echo "installing chromium and fonts from the system's packages ..."
        export DEBIAN_FRONTEND=noninteractive
        { $root apt-get update -qq && $root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } \
            >/dev/null 2>&1 && exit 0
    fi
fi
echo "The browser tests need Chromium: install the system's package 'chromium', or set CRYOTRAIL_CHROMIUM to its path." >&2
