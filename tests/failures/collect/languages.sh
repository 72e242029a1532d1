# go, java, maven, ruby, rspec, rubocop, php, bats, shellcheck, yamllint, ant.
go="--tool=go version" java="--tool=java --version"
go_project() { project; printf 'module example.com/shop\n\ngo 1.19\n' >go.mod; }
export GOFLAGS=-mod=mod
go_project
printf 'package shop\n\nfunc Total(items []int) string { return len(items) }\n' >total.go
failure go-build build "go build ./..." "$go"
failure go-test-build build "go test ./..." "$go" --decoy "go test"
printf 'package shop\n\nfunc Total(items []int) int { return len(items) }\n' >total.go
printf 'package shop\n\nimport "testing"\n\nfunc TestNetworkTimeout(t *testing.T) {\n\tif Total(nil) != 1 {\n\t\tt.Errorf("dial tcp 10.0.0.1:443: i/o timeout, want 1")\n\t}\n}\n\nfunc TestUnauthorized(t *testing.T) { t.Log("401 Unauthorized") }\n' >total_test.go
failure go-test test "go test ./..." "$go" --decoy "the failing test is called TestNetworkTimeout"
failure go-test-v test "go test -v ./..." "$go" --decoy "a passing test logs '401 Unauthorized'"
printf 'package shop\n\nimport (\n\t"testing"\n\t"time"\n)\n\nfunc TestSlow(t *testing.T) { time.Sleep(time.Minute) }\n' >total_test.go
failure go-test-timeout test "go test -timeout 1s ./..." "$go" --decoy "the tests ran into their own time limit"
rm total_test.go; printf 'package shop\n\nimport "fmt"\n\nfunc Show() { fmt.Printf("%%d\\n", "x") }\n' >show.go
failure go-vet lint "go vet ./..." "$go"
printf 'package shop\nimport "fmt"\nfunc  Show() {fmt.Println("x") }\n' >show.go
failure gofmt lint 'test -z "$(gofmt -l . | tee /dev/stderr)"' "$go"
go_project; printf 'package main\n\nimport "rsc.io/quote"\n\nfunc main() { println(quote.Hello()) }\n' >main.go
failure go-no-module build "go build -mod=readonly ./..." "$go"
failure go-get-offline network "go get rsc.io/quote" "$go" --offline --env GOMODCACHE=/home/user/.cache/failures-gomod
printf 'package main\n\nfunc main() {\n\tvar all [][]byte\n\tfor {\n\t\tall = append(all, make([]byte, 64<<20))\n\t\tfor i := range all[len(all)-1] {\n\t\t\tall[len(all)-1][i] = 1\n\t\t}\n\t}\n}\n' >main.go
go build -o eat main.go; failure go-memory out_of_memory "./eat" "$go" --memory 700
printf 'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n\t"os"\n)\n\nfunc main() {\n\tif _, err := http.Get("http://127.0.0.1:9/"); err != nil {\n\t\tfmt.Fprintln(os.Stderr, err)\n\t\tos.Exit(1)\n\t}\n}\n' >main.go
failure go-dial network "go run main.go" "$go"
printf 'package main\n\nimport (\n\t"context"\n\t"log"\n\t"time"\n)\n\nfunc main() {\n\tctx, done := context.WithTimeout(context.Background(), time.Second)\n\tdefer done()\n\t<-ctx.Done()\n\tlog.Fatalf("import: %%v", ctx.Err())\n}\n' >main.go
failure go-deadline timeout "go run main.go" "$go"
printf 'package main\n\nfunc main() {\n\tvar m map[string]int\n\tm["429"] = 1\n}\n' >main.go
failure go-panic unknown "go run main.go" "$go" --decoy "429 in the code"

project
printf 'public class Shop {\n  static int total(String timeout) { return timeout; }\n  public static void main(String[] a) { }\n}\n' >Shop.java
failure javac build "javac Shop.java" "--tool=javac --version" --decoy "a parameter called timeout"
printf 'import java.util.*;\npublic class Shop {\n  public static void main(String[] a) { List<byte[]> l = new ArrayList<>(); for (;;) l.add(new byte[1 << 20]); }\n}\n' >Shop.java
javac Shop.java; failure java-heap out_of_memory "java -Xmx20m Shop" "$java"
failure java-no-memory out_of_memory "java -Xms2g Shop" "$java" --memory 1500
printf 'import java.net.*;\npublic class Shop {\n  public static void main(String[] a) throws Exception { new URL("http://127.0.0.1:9/").openStream(); }\n}\n' >Shop.java
javac Shop.java; failure java-refused network "java Shop" "$java"
sed -i 's/127.0.0.1:9/orders.internal.invalid/' Shop.java; javac Shop.java
failure java-unknown-host network "java Shop" "$java" --offline
printf 'public class Shop {\n  public static void main(String[] a) { String s = null; System.out.println("rate limit: 60"); s.length(); }\n}\n' >Shop.java
javac Shop.java; failure java-null unknown "java Shop" "$java" --decoy "rate limit: 60"
printf 'import java.util.concurrent.*;\npublic class Shop {\n  public static void main(String[] a) throws Exception {\n    var pool = Executors.newCachedThreadPool(r -> { var t = new Thread(r); t.setDaemon(true); return t; });\n    pool.submit(() -> { Thread.sleep(20000); return 1; }).get(1, TimeUnit.SECONDS);\n  }\n}\n' >Shop.java
javac Shop.java; failure java-timeout timeout "java Shop" "$java"
failure java-no-class unknown "java Warehouse" "$java"

mvn="--tool=mvn --version"
project; mkdir -p src/main/java src/test/java
cat >pom.xml <<'P'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>shop</artifactId><version>1</version>
  <properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
  <dependencies><dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.x</version><scope>test</scope></dependency></dependencies>
</project>
P
printf 'public class Auth {\n  int permissionDenied() { return "403"; }\n}\n' >src/main/java/Auth.java
failure mvn-compile build "mvn -B -o compile" "$mvn" --env "MAVEN_ARGS=" --env "JAVA_TOOL_OPTIONS=-Dmaven.repo.local=/usr/share/maven-repo" --decoy "a class Auth with permissionDenied"
printf 'public class Auth {\n  int permissionDenied() { return 403; }\n}\n' >src/main/java/Auth.java
printf 'import org.junit.*;\npublic class AuthTest {\n  @Test public void connectionRefused() { Assert.assertEquals(401, new Auth().permissionDenied()); }\n}\n' >src/test/java/AuthTest.java
failure mvn-test test "mvn -B -o test" "$mvn" --env "JAVA_TOOL_OPTIONS=-Dmaven.repo.local=/usr/share/maven-repo" --decoy "a failing test connectionRefused about 401"
failure mvn-offline network "mvn -B package" "$mvn" --offline --env "JAVA_TOOL_OPTIONS=-Dmaven.repo.local=/home/user/.empty-m2"

project
printf 'def total(items)\n  items.size +\nend\n' >shop.rb
failure ruby-syntax build "ruby -c shop.rb" "--tool=ruby --version"
mkdir spec; printf 'describe "rate limit" do\n  it "answers 429 too many requests" do\n    expect(503).to eq(429)\n  end\n  it "survives ECONNREFUSED" do\n    expect(1).to eq(1)\n  end\nend\n' >spec/shop_spec.rb
failure rspec test "rspec" "--tool=rspec --version" --decoy "the failing example is about 429"
printf 'x = {:a=>1}\nif x == nil then puts "y" end\n' >shop.rb
failure rubocop lint "rubocop shop.rb" "--tool=rubocop --version"
printf 'require "minitest/autorun"\nclass DiskFullTest < Minitest::Test\n  def test_no_space_left_on_device\n    assert_equal 1, 2\n  end\nend\n' >shop_test.rb
failure minitest test "ruby shop_test.rb" "--tool=ruby --version" --decoy "a test called test_no_space_left_on_device"
printf 'require "socket"\nTCPSocket.new("127.0.0.1", 9)\n' >net.rb
failure ruby-refused network "ruby net.rb" "--tool=ruby --version"
printf '<?php\nfunction f( { }\n' >a.php
failure php-syntax build "php -l a.php" "--tool=php --version"
printf '@test "connection timed out is told" {\n  run echo "connection timed out"\n  [ "$output" = "x" ]\n}\n@test "permission denied" {\n  true\n}\n' >a.bats
failure bats test "bats a.bats" "--tool=bats --version" --decoy "tests about connections and permissions"
printf '#!/bin/sh\nfor f in $(ls); do\n  echo $f permission denied\ndone\n' >a.sh
failure shellcheck lint "shellcheck a.sh" "--tool=shellcheck --version" --decoy "the code shown says permission denied"
printf 'a:   1\nb: [1,2 ]\n' >a.yaml
failure yamllint lint "yamllint a.yaml" "--tool=yamllint --version"
printf '<project default="c"><target name="c"><javac srcdir="." includeantruntime="false"/></target></project>\n' >build.xml; printf 'class A { int x = "out of memory"; }\n' >A.java
failure ant build "ant" "--tool=ant -version" --decoy "the code says 'out of memory'"
