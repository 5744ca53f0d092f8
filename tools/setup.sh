#!/bin/sh
# Installs what the project needs beside a Rust toolchain, and only what is missing: a linker with
# its C library (build-essential), git (tidy asks it for the list of files), python3 (the index of
# the specification), curl (to talk to the exchange), and what injects faults for the promises (strace,
# faketime, e2fsprogs). With everything in place it changes nothing and needs no rights. Use: sh tools/setup.sh
set -eu

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: cargo is missing; install a Rust toolchain first (https://rustup.rs)" >&2
    exit 1
fi

missing=""
need() { # program, package that has it
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
need cc build-essential
need git git
need python3 python3
need curl curl
# What rows of `cargo xtask promise` need.
need strace strace
need faketime faketime
need mkfs.ext4 e2fsprogs

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: without apt-get, install these by hand:$missing" >&2
        exit 1
    fi
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        as_root="sudo"
    fi
    echo "setup: installing$missing"
    $as_root apt-get update -q
    # The list is split into words on purpose.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi

# A warning only: the exchange itself builds without them.
for component in fmt clippy; do
    if ! cargo "$component" --version >/dev/null 2>&1; then
        echo "setup: \`cargo $component\` is missing and the tests need it;" \
            "with rustup: rustup component add rustfmt clippy" >&2
    fi
done
