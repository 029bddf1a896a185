# The relay is welded and the agent hangs in the middle of its cut when the daemon dies. The next daemon cuts by itself,
# and proves it anew.
config agent on
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 5s
expect standby bravo within 5s
expect linked within 5s
sleep 2s
weld RELAY_ALPHA
agent hangs-off
freeze alpha
expect silent alpha within 5s
sleep 6s
expect unanswered for 100ms
kill-daemon bravo
agent ok
expect reachable bravo within 5s
expect dark alpha within 20s
expect owner bravo within 10s
expect proof alpha agent within 2s
free RELAY_ALPHA
expect standby alpha within 20s
expect linked within 5s
never two-owners
