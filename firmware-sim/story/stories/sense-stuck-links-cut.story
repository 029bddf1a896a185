# The owner's relay is welded, its sense reads off for ever, and all links are cut: a false proof at hand, and nothing starts on it.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
weld RELAY_ALPHA
sense SENSE_ALPHA stuck-off
expect alarm bravo proves nothing within 5s
cut-cable
cut-net
expect blocked bravo within 20s
expect owner alpha for 1s
mend-cable
mend-net
expect linked within 5s
free RELAY_ALPHA
sense SENSE_ALPHA ok
run bravo clear
expect owner alpha for 200ms
expect standby bravo within 5s
