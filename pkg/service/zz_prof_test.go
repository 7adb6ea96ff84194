package service
import ("testing";"os";"github.com/logiqc/logiqc/pkg/store";"runtime/pprof")
func TestZZProf(t *testing.T){
 p:=os.Getenv("PROF"); if p=="" {t.Skip()}
 s,err:=store.OpenSQLite(p,store.Options{}); if err!=nil{t.Fatal(err)}
 d:=New(s,func(string)(Keys,error){return Keys{},nil})
 f,_:=os.Create("/tmp/w/cpu.prof"); pprof.StartCPUProfile(f)
 r,err:=d.Verify(t.Context(),nil); pprof.StopCPUProfile(); t.Log(r,err)
 f2,_:=os.Create("/tmp/w/cpu2.prof"); pprof.StartCPUProfile(f2)
 n,_,err:=d.Reconcile(t.Context()); pprof.StopCPUProfile(); t.Log(n,err)
}
