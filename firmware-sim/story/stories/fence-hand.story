# A person cuts, gives back and tests power by hand; nobody else is harmed.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
run alpha fence off bravo --yes
expect fenced bravo within 5s
expect owner alpha for 500ms
expect powered bravo within 5s
expect standby bravo within 10s
expect linked within 5s
run alpha fence on bravo
expect owner alpha for 100ms
run alpha fence status bravo
run alpha fence test bravo --yes
expect standby bravo within 10s
expect linked within 5s
expect owner alpha for 100ms
say the owner is cut by hand
run bravo fence off alpha --yes
expect owner bravo within 5s
expect standby alpha within 10s
expect linked within 5s
