# Both levels are welded. The fence is tried again so many times, each wait twice as long as the one before; then only a
# person, whatever becomes of the daemon.
config level2 on
config multiplier 15
config retries 3
config retry 2s
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
weld RELAY_ALPHA
weld RELAY2_ALPHA
freeze alpha
expect told bravo fence-failed-now within 15s
expect blocked bravo within 1s
expect alarm bravo fence-failed within 2s
expect alarm bravo blocked web within 2s
say the daemon dies between two tries: the next one goes on counting
kill-daemon bravo
expect reachable bravo within 5s
expect blocked bravo within 5s
expect not-fenced alpha for 500ms
expect told bravo fence-failed-now within 15s
expect told bravo fence-given-up within 60s
say then only a person
expect blocked bravo within 1s
expect why bravo fence-failed within 1s
run bravo status
expect not-fenced alpha for 5s
kill-daemon bravo
expect reachable bravo within 5s
expect blocked bravo within 5s
expect alarm bravo fence-failed within 5s
expect not-fenced alpha for 5s
expect unanswered for 200ms
say somebody frees the contacts, and clears bravo: it asks before it cuts
free RELAY_ALPHA
free RELAY2_ALPHA
expect not-fenced alpha for 1s
run bravo clear
expect asks bravo within 5s
run bravo approve @incident
expect owner bravo within 15s
expect proof alpha fail-safe within 2s
never two-owners
