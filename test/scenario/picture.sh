#!/bin/sh
# The picture of doc/group-life.md is what the engines do: picture.sh SIM_TIMELINE STORY SVG. To draw it
# anew: build/sim/sim_timeline test/scenario/picture.scn 3530 3600 > doc/group-life.svg
"$1" "$2" 3530 3600 | cmp - "$3"
