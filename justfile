# For those who type `just`. The commands are cargo's: see CONTRIBUTING.md.

default:
    @just --list

# Everything a change has to pass.
ci:
    cargo xtask ci

# The tests, or those whose name contains NAME.
test *NAME:
    cargo xtask test {{ NAME }}

# A benchmark beside what it is compared with.
bench *NAME:
    cargo xtask bench {{ NAME }}

# Kills, pauses and shared files at full size.
long:
    cargo xtask long

# The house rules alone.
tidy *ARGS:
    cargo xtask tidy {{ ARGS }}

# Format the code.
fmt:
    cargo xtask fmt
