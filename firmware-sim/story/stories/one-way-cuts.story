# One-way cuts of cable and network in every combination that leaves the standby a way to hear the owner: nothing is cut,
# each broken way is told, and all is well after it is mended. Each chapter has a rack of its own: a link that broke twice
# before is said to come and go.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable alpha->bravo
cut-cable alpha->bravo
expect link-down bravo cable within 3s
expect alarm bravo cable within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable bravo->alpha
cut-cable bravo->alpha
expect link-down alpha cable within 3s
expect alarm alpha cable within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable alpha->bravo, cable bravo->alpha
cut-cable alpha->bravo
cut-cable bravo->alpha
expect link-down bravo cable within 3s
expect alarm bravo cable within 3s
expect link-down alpha cable within 3s
expect alarm alpha cable within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut net alpha->bravo
cut-net alpha->bravo
expect link-down bravo lan within 3s
expect alarm bravo lan within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable bravo->alpha, net alpha->bravo
cut-cable bravo->alpha
cut-net alpha->bravo
expect link-down alpha cable within 3s
expect alarm alpha cable within 3s
expect link-down bravo lan within 3s
expect alarm bravo lan within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut net bravo->alpha
cut-net bravo->alpha
expect link-down alpha lan within 3s
expect alarm alpha lan within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable alpha->bravo, net bravo->alpha
cut-cable alpha->bravo
cut-net bravo->alpha
expect link-down bravo cable within 3s
expect alarm bravo cable within 3s
expect link-down alpha lan within 3s
expect alarm alpha lan within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable bravo->alpha, net bravo->alpha
cut-cable bravo->alpha
cut-net bravo->alpha
expect link-down alpha cable within 3s
expect alarm alpha silent within 3s
expect link-down alpha lan within 3s
expect alarm alpha silent within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable alpha->bravo, cable bravo->alpha, net bravo->alpha
cut-cable alpha->bravo
cut-cable bravo->alpha
cut-net bravo->alpha
expect link-down bravo cable within 3s
expect alarm bravo cable within 3s
expect link-down alpha cable within 3s
expect alarm alpha silent within 3s
expect link-down alpha lan within 3s
expect alarm alpha silent within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut net alpha->bravo, net bravo->alpha
cut-net alpha->bravo
cut-net bravo->alpha
expect link-down bravo lan within 3s
expect alarm bravo lan within 3s
expect link-down alpha lan within 3s
expect alarm alpha lan within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
stop
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say cut cable bravo->alpha, net alpha->bravo, net bravo->alpha
cut-cable bravo->alpha
cut-net alpha->bravo
cut-net bravo->alpha
expect link-down alpha cable within 3s
expect alarm alpha silent within 3s
expect link-down bravo lan within 3s
expect alarm bravo lan within 3s
expect link-down alpha lan within 3s
expect alarm alpha silent within 3s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-cable
mend-net
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 50ms
expect standby bravo within 1s
