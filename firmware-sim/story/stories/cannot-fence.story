# A standby whose devices could not cut the owner says so before it has to: in its status, and to the owner by its pulses.
# It still watches, tries when it has to, and stays down if nothing can be proven.
config agent on
config look-every 10s
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
sleep 2s
expect can-fence bravo within 5s
expect no-alarm alpha for 300ms
expect no-alarm bravo for 300ms
say the agent does not reach its board: the relay in front of it is enough, and both nodes know
agent fails
expect alarm bravo device-ill within 15s
expect can-fence bravo for 500ms
expect no-alarm alpha peer-cannot-fence for 500ms
say a sense that reads off while alpha lives: nothing is left that could prove
sense SENSE_ALPHA stuck-off
expect cannot-fence bravo nobody answers within 10s
expect alarm alpha peer-cannot-fence within 2s
expect alarm bravo sense-broken within 2s
expect can-fence alpha for 200ms
expect owner alpha for 500ms
expect not-fenced alpha for 100ms
say the agent answers again
agent ok
expect can-fence bravo within 20s
expect no-alarm bravo device-ill within 2s
expect no-alarm alpha peer-cannot-fence within 2s
say an agent that never ends is ill in its time
agent hangs
expect cannot-fence bravo caught lying within 60s
expect alarm bravo took longer than within 5s
agent ok
expect can-fence bravo within 60s
say nothing works, and alpha dies: bravo tries, says what is the matter, and starts nothing
agent fails
expect alarm alpha peer-cannot-fence within 20s
weld RELAY_ALPHA
freeze alpha
expect blocked bravo within 20s
expect told bravo fence-given-up within 30s
expect why bravo fence-failed within 1s
expect alarm bravo confirm-off alpha within 2s
expect unanswered for 500ms
thaw alpha
expect owner alpha within 10s
expect linked within 10s
say all is mended
free RELAY_ALPHA
sense SENSE_ALPHA ok
agent ok
run bravo clear
# The agent could not give back what it may have cut, and that is a person's to do.
expect alarm bravo cut-open within 2s
run bravo fence on alpha
expect can-fence bravo within 40s
expect no-alarm bravo within 5s
expect no-alarm alpha within 40s
freeze alpha
expect owner bravo within 10s
expect proof alpha fail-safe within 2s
never two-owners
