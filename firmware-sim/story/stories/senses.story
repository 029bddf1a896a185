# Senses that lie: stuck on blocks, stuck off is found out while the peer lives, and a lie costs nobody its power.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say stuck on, and the owner loses its mains: nobody believes a person either before the sense is named
sense SENSE_ALPHA stuck-on
power-off alpha
expect dark alpha within 5s
expect blocked bravo within 20s
expect told bravo fence-given-up within 20s
expect unanswered for 200ms
refused bravo confirm-off alpha --yes
run bravo confirm-off alpha --yes --broken-sense alpha-relay-1
expect owner bravo within 5s
sense SENSE_ALPHA ok
power-on alpha
expect standby alpha within 10s
expect linked within 5s
run bravo clear
run bravo failback web
expect owner alpha within 5s
say stuck off while alpha lives: told as broken, nobody is cut, and it proves nothing
sense SENSE_ALPHA stuck-off
expect alarm bravo proves nothing within 5s
expect owner alpha for 500ms
expect not-fenced alpha for 100ms
sleep 200ms
freeze alpha
expect blocked bravo within 20s
expect unanswered for 200ms
thaw alpha
expect owner alpha within 5s
expect linked within 5s
sense SENSE_ALPHA ok
run bravo clear
expect standby bravo within 5s
expect no-alarm bravo within 5s
say a short lie
sense SENSE_ALPHA lie 30ms
expect owner alpha for 500ms
expect not-fenced alpha for 100ms
say floating
sense SENSE_ALPHA float
expect owner alpha for 1s
expect not-fenced alpha for 100ms
sense SENSE_ALPHA ok
run bravo clear
expect standby bravo within 5s
